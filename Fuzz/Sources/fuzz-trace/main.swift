import FuzzDriver
import FuzzLaws

FuzzDriver.run(.trace)
