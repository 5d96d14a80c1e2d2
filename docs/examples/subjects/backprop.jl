# Backpropagation for dense networks, and the loop in which purebp asks it: the line dialect of docs/wire-format.md.
#
#     purebp check -- julia backprop.jl

const ANSWERS = stdout
redirect_stdout(stderr) # what else is printed is no answer

"Row j of the weights feeds neuron j; biases are `nothing` where there are none."
struct Layer
    weights::Matrix{Float64}
    biases::Union{Vector{Float64},Nothing}
    activation::String
end

"Of one layer, in its shapes."
struct Gradient
    weights::Matrix{Float64}
    biases::Union{Vector{Float64},Nothing}
end

"Why there are no gradients."
struct Unsupported <: Exception
    why::String
end

const HELLO = "hello 1 backprop language=Julia activations=tanh,identity loss=mse returns=gradients"

# f(z), and f'(z) written in terms of a = f(z).
const ACTIVATIONS = Dict(
    "identity" => (z -> z, a -> 1.0),
    "sigmoid" => (z -> 1 / (1 + exp(-z)), a -> a * (1 - a)),
    "tanh" => (tanh, a -> 1 - a * a),
    "relu" => (z -> max(z, 0.0), a -> a > 0 ? 1.0 : 0.0),
)

known(name) = get(() -> throw(Unsupported("no activation $name")), ACTIVATIONS, name)

"Inputs and targets hold a row for each sample."
function gradients(layers, inputs, targets, loss)
    loss in ("sse", "mse") || throw(Unsupported("no loss $loss"))
    factor = loss == "sse" ? 2.0 : 2.0 / length(targets)
    functions = [known(layer.activation) for layer in layers]
    a = [inputs]
    for (layer, (value, _)) in zip(layers, functions)
        biases = something(layer.biases, zeros(size(layer.weights, 1)))
        push!(a, value.(a[end] * layer.weights' .+ biases'))
    end
    error = factor .* (a[end] .- targets)
    found = Gradient[]
    for l in reverse(eachindex(layers))
        delta = error .* last(functions[l]).(a[l + 1])
        biases = isnothing(layers[l].biases) ? nothing : vec(sum(delta, dims = 1))
        pushfirst!(found, Gradient(delta' * a[l], biases))
        error = delta * layers[l].weights
    end
    return found
end

size_of(words) = parse(Int, popfirst!(words))

"The numbers come row by row, and lie column by column in memory."
function matrix(words, rows, columns)
    return permutedims(reshape([parse(Float64, popfirst!(words)) for _ in 1:(rows * columns)], columns, rows))
end

"What is answered to a request, from its number of layers on."
function answer(words)
    depth = size_of(words)
    sizes = [size_of(words) for _ in 0:depth]
    samples, loss = size_of(words), popfirst!(words)
    popfirst!(words) # the learning rate
    layers = Layer[]
    for (n_in, n_out) in zip(sizes, sizes[2:end])
        activation, has_biases = popfirst!(words), popfirst!(words) == "1"
        weights = matrix(words, n_out, n_in)
        push!(layers, Layer(weights, has_biases ? vec(matrix(words, 1, n_out)) : nothing, activation))
    end
    inputs = matrix(words, samples, sizes[1])
    targets = matrix(words, samples, sizes[end])
    said = ["gradients"]
    for gradient in gradients(layers, inputs, targets, loss)
        append!(said, string.(vec(permutedims(gradient.weights))))
        isnothing(gradient.biases) || append!(said, string.(gradient.biases))
    end
    return join(said, " ")
end

function main(answers)
    for line in eachline(stdin)
        words = String.(split(line))
        said = HELLO
        if popfirst!(words) == "run"
            id = popfirst!(words)
            try
                said = "$id $(answer(words))"
            catch error
                error isa Unsupported || rethrow()
                said = "$id skip $(error.why)"
            end
        end
        println(answers, said)
        flush(answers)
    end
end

main(ANSWERS)
